"""`python -m elasticlake`: the same command line as the `elasticlake` script."""

from elasticlake.cli.main import main

if __name__ == "__main__":
    main()
