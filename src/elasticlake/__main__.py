"""`python -m elasticlake`, and the `elasticlake` script."""

from __future__ import annotations


def main() -> None:
    """The command line; Ctrl-C ends it quietly, also while it is still being imported."""
    try:
        from elasticlake.cli.main import main as command_line

        command_line()
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
