"""What can go wrong with the Hub, said in one line; and patience with what passes by itself."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from huggingface_hub import constants, errors

from uncover.errors import WeightsError
from uncover.strict import one_line

T = TypeVar("T")

ATTEMPTS = 4
WAIT = 1.0
_UNWRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENOSPC}
TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
# HTTPError of whichever HTTP client this version of huggingface_hub is built on.
_TRANSPORT: type[Any] = errors.HfHubHTTPError.__mro__[1]
_FAILURES = (_TRANSPORT, OSError, errors.EntryNotFoundError, ValueError, RuntimeError)


class HubError(WeightsError):
    """The Hub could not be used: not reachable, not found, not allowed, or not logged in."""


def endpoint() -> str:
    """Address of the Hub: $HF_ENDPOINT or the public one."""
    return (os.environ.get("HF_ENDPOINT") or constants.ENDPOINT).rstrip("/")


@contextmanager
def explained(repo: str) -> Iterator[None]:
    """Turn what huggingface_hub raises into a `HubError` of one line that says what to do."""
    try:
        yield
    except WeightsError:
        raise
    except _FAILURES as error:
        raise HubError(f"{repo}: {_explain(error)}") from error


def _explain(error: BaseException) -> str:
    chain = _chain(error)
    status = next((s for s in map(_status, chain) if s is not None), None)
    if any(isinstance(e, errors.GatedRepoError) for e in chain):
        return "its owner asks you to accept conditions on its page first, then `hf auth login`"
    if any(isinstance(e, errors.RevisionNotFoundError) for e in chain):
        return "no such revision on the Hub: check the branch, tag or commit"
    if any(isinstance(e, errors.RepositoryNotFoundError) for e in chain):
        return "not found on the Hub: check the name; if it is private, run `hf auth login`"
    if status in (401, 403):
        return (
            f"the Hub refused the token ({status}): run `hf auth login` with one that may do this"
        )
    if status == 404:
        return "not found on the Hub (404): check the name and the revision"
    if status == 429:
        return "the Hub asks to slow down (429): try again in a few minutes"
    if status is not None:
        return f"the Hub answered {status}: try again later ({one_line(chain[-1], 120)})"
    if any(isinstance(e, errors.LocalEntryNotFoundError) for e in chain) and len(chain) == 1:
        return "not in the cache, or only half: pull it while online"
    last = chain[-1]
    if any(isinstance(e, (_TRANSPORT, ConnectionError, TimeoutError)) for e in chain):
        reason = one_line(last, 120) or type(last).__name__
        return f"the Hub at {endpoint()} cannot be reached ({reason})"
    if isinstance(last, OSError) and last.errno in _UNWRITABLE:
        place = constants.HF_HUB_CACHE
        return (
            f"the cache {place} cannot be written ({last.strerror}): set HF_HOME to another folder"
        )
    return one_line(last)


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in found:
        found.append(current)
        current = current.__cause__
    return found


def _status(error: BaseException) -> int | None:
    response = getattr(error, "response", None) if isinstance(error, _TRANSPORT) else None
    return getattr(response, "status_code", None)


def _transient(error: BaseException) -> bool:
    chain = _chain(error)
    status = next((s for s in map(_status, chain) if s is not None), None)
    if status is not None:
        return status in TRANSIENT
    return any(isinstance(e, _TRANSPORT) for e in chain)


def patiently(call: Callable[[], T]) -> T:
    """Call, and again after 1, 2 and 4 seconds while the Hub is busy or the line is cut."""
    for attempt in range(ATTEMPTS):
        try:
            return call()
        except _FAILURES as error:
            if attempt == ATTEMPTS - 1 or not _transient(error):
                raise
            time.sleep(WAIT * 2**attempt)
    raise AssertionError("unreachable")
