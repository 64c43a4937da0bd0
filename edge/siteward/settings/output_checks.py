"""Whether each output of alarms of the file can send (S-22)."""

from siteward.settings.document import Draft
from siteward.settings.faults import Faults
from siteward.settings.output_tables import OutputTable
from siteward.settings.positions import Path
from siteward.settings.services import is_loopback, split_address

_SCHEMES = {"email": ("smtp", "smtps"), "webhook": ("https", "http")}
_A = {"email": "an e-mail", "webhook": "a webhook"}
_MAIL_ONLY = ("sender", "to", "user")


def check_outputs(draft: Draft) -> None:
    """Add every fault of the outputs."""
    seen: dict[str, Path] = {}
    for path, output in draft.of("output", OutputTable):
        if output.id in seen:
            line = draft.faults.lines.get((*seen[output.id], "id"), 1)
            draft.faults.add((*path, "id"), f"'{output.id}' is used twice; the first one is in line {line}")
        seen.setdefault(output.id, path)
        _address(path, output, draft.faults)
        if output.ca_file is not None and (output.insecure or output.url.startswith("http://")):
            draft.faults.add((*path, "ca_file"), "asks for TLS; take out insecure, and write https:// for a webhook")
        if output.kind == "email":
            for name in ("sender", "to"):
                if not getattr(output, name):
                    draft.faults.add((*path, name), "is missing; an e-mail needs sender and to")
            if output.user is not None and output.secret_file is None:
                draft.faults.add((*path, "secret_file"), "is missing; it says: the file with the password of `user`")
        else:
            for name in _MAIL_ONLY:
                if name in output.model_fields_set:
                    draft.faults.add((*path, name), "says nothing on a webhook; take it out")


def _address(path: Path, output: OutputTable, faults: Faults) -> None:
    scheme, _, rest = output.url.partition("://")
    known = _SCHEMES[output.kind]
    if scheme not in known:
        faults.add((*path, "url"), f"'{scheme}://' is no address of {_A[output.kind]}; write {known[0]}://")
        return
    parts = split_address(f"{scheme}://{rest.split('/', 1)[0]}")
    if scheme == "http" and not output.insecure and parts is not None and not is_loopback(parts.hostname or ""):
        faults.add((*path, "url"), "plain HTTP may leave this machine only with insecure = true; write https://")
