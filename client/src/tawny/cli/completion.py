"""``tawny completion``: the script that completes the command in a shell."""

import click
from click.shell_completion import get_completion_class

EXAMPLES = """\b
Examples:
  source <(tawny completion bash)
  tawny completion zsh > ~/.zfunc/_tawny
  tawny completion fish > ~/.config/fish/completions/tawny.fish
"""


@click.command(epilog=EXAMPLES)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script for a shell."""
    found = get_completion_class(shell)
    assert found, "click completes these three shells"
    root = context.find_root().command
    click.echo(found(root, {}, "tawny", "_TAWNY_COMPLETE").source())
