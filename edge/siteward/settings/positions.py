"""On which line of a TOML text each key and each array element stands; tomllib itself does not tell."""

from bisect import bisect_right

Path = tuple[str | int, ...]
"""Keys and 0-based indexes from the root of a document down to one value."""

_SPACE = " \t\r\n"
_BARE_END = ",]}#\n"
_KEY_END = ".=] \t"


def positions(text: str) -> dict[Path, int]:
    """Map every path of a text that tomllib accepts to the 1-based line on which it begins."""
    return _Scanner(text).document()


class _Scanner:
    """Walks once over valid TOML; it judges nothing, because tomllib has accepted the text before."""

    def __init__(self, text: str) -> None:
        self._text = text.replace("\r\n", "\n")
        self._at = 0
        self._ends = [i for i, c in enumerate(self._text) if c == "\n"]
        self._found: dict[Path, int] = {}
        self._tables: dict[Path, int] = {}

    def document(self) -> dict[Path, int]:
        """Read all tables and pairs."""
        table: Path = ()
        while self._skip(_SPACE):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
        return self._found

    def _line(self) -> int:
        return bisect_right(self._ends, self._at - 1) + 1

    def _skip(self, blanks: str) -> bool:
        """Move past blanks and comments; False at the end of the text."""
        while self._at < len(self._text):
            if self._text[self._at] in blanks:
                self._at += 1
            elif self._text[self._at] == "#":
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            else:
                return True
        return False

    def _header(self) -> Path:
        line = self._line()
        repeated = self._text.startswith("[[", self._at)
        self._at += 2 if repeated else 1
        keys = self._keys()
        self._at += 2 if repeated else 1
        path = self._inside(keys[:-1])
        last: Path = (*path, keys[-1])
        if repeated:
            self._found.setdefault(last, line)
            self._tables[last] = self._tables.get(last, -1) + 1
            last = (*last, self._tables[last])
        elif last in self._tables:
            last = (*last, self._tables[last])
        self._found[last] = line
        return last

    def _inside(self, keys: list[str]) -> Path:
        """Path of a header's parent: under an array of tables it means the newest element."""
        path: Path = ()
        for key in keys:
            path = (*path, key)
            if path in self._tables:
                path = (*path, self._tables[path])
        return path

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._skip(" \t")
            if self._text[self._at] in "\"'":
                keys.append(self._string())
            else:
                start = self._at
                while self._text[self._at] not in _KEY_END:
                    self._at += 1
                keys.append(self._text[start : self._at])
            self._skip(" \t")
            if self._text[self._at] != ".":
                return keys
            self._at += 1

    def _pair(self, table: Path) -> None:
        line = self._line()
        path: Path = table
        for key in self._keys():
            path = (*path, key)
            self._found.setdefault(path, line)
        self._at += 1
        self._value(path)

    def _value(self, path: Path) -> None:
        self._skip(" \t")
        first = self._text[self._at]
        if first in "\"'":
            self._string()
        elif first == "[":
            self._array(path)
        elif first == "{":
            self._inline(path)
        else:
            while self._at < len(self._text) and self._text[self._at] not in _BARE_END:
                self._at += 1

    def _array(self, path: Path) -> None:
        self._at += 1
        index = 0
        while self._skip(_SPACE + ",") and self._text[self._at] != "]":
            self._found[(*path, index)] = self._line()
            self._value((*path, index))
            index += 1
        self._at += 1

    def _inline(self, path: Path) -> None:
        self._at += 1
        while self._skip(_SPACE + ",") and self._text[self._at] != "}":
            self._pair(path)
        self._at += 1

    def _string(self) -> str:
        """Move past a string of any of the four kinds; the content matters only for keys."""
        quote = self._text[self._at]
        mark = quote * 3 if self._text.startswith(quote * 3, self._at) else quote
        start = self._at = self._at + len(mark)
        while not self._text.startswith(mark, self._at):
            self._at += 2 if quote == '"' and self._text[self._at] == "\\" else 1
        while len(mark) == 3 and self._text.startswith(quote, self._at + 3):
            self._at += 1
        content = self._text[start : self._at]
        self._at += len(mark)
        return content
