"""Whose commands a site file has the station take, for `check`: a file of keys that is not there is found here."""

from pathlib import Path

from siteward.client.command_keys import BadKeys, read_keys
from siteward.model.sentences import Sentence
from siteward.settings.result import CloudSettings


def notes(cloud: CloudSettings | None, folder: Path) -> list[Sentence]:
    """What is to be known of the platform's commands; paths of the file are beside it in `folder`."""
    if cloud is None or cloud.command_keys is None:
        return []
    file = folder / cloud.command_keys
    try:
        keys = read_keys(file.read_bytes())
    except (OSError, BadKeys) as bad:
        return [_none(f"{file}: {bad}")]
    if not keys:
        return [_none(f"{file} holds no key")]
    names = ", ".join(sorted(keys))
    if cloud.require_signed:
        return [Sentence(f"commands are taken only if signed with {names}", f"只接受以下密钥签名的命令：{names}")]
    text = f"unsigned commands are taken, too (require_signed = false); signatures are those of {names}"
    return [Sentence(text, f"也接受未签名的命令（require_signed = false）；签名密钥：{names}")]


def _none(why: str) -> Sentence:
    return Sentence(
        f"{why}; until `siteward keys add` no signed command of the platform is taken",
        f"{why}；在执行 `siteward keys add` 之前，不接受平台的任何签名命令",
    )
