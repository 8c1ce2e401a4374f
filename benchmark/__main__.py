"""`python -m benchmark`: run, compare, detect, seams, speed, manifest."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from uncover.errors import UncoverError, no_room

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0, 1 after an `error:` line, 130 after Ctrl-C."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if words[:1] == ["compare"]:
            from benchmark.run import compare

            return compare.main(words[1:])
        if words[:1] == ["detect"]:
            from benchmark.detect import command as detect

            return detect.main(words[1:])
        if words[:1] == ["manifest"]:
            from benchmark.photos import manifest_command

            return manifest_command.main(words[1:])
        if words[:1] == ["seams"]:
            from benchmark.run import seams

            return seams.main(words[1:])
        if words[:1] == ["speed"]:
            from benchmark.speed import command as speed

            return speed.main(words[1:])
        from benchmark.run import command

        return command.main(words)
    except UncoverError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {no_room(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted; the same command goes on where it stopped", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
