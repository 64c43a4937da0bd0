"""Reads one file of device facts: what is wrong with it is told by file and key."""

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from siteward.model.errors import ConfigError

_File = TypeVar("_File", bound=BaseModel)


def read_file(path: Path, form: type[_File]) -> _File:
    """Read and check one file. Raises ConfigError whose text is `file: key: what is wrong`, a line for each fault."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is no TOML: {error}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: holds a number too long or tables too deep to be read") from error
    try:
        return form.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(_explain(path, error)) from error


def _explain(path: Path, error: ValidationError) -> str:
    lines = []
    for item in error.errors(include_url=False):
        key = ".".join(str(part) for part in item["loc"]) or "whole file"
        lines.append(f"{path}: {key}: {item['msg']}")
    return "\n".join(lines)
