"""Every command of ours that the runbook, the units and the compose files tell somebody to run exists in these binaries, and no
option of them takes a secret."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ["deploy/systemd", "deploy/compose", "deploy/helm/firstlight/templates"]
TEXTS = ["deploy/RUNBOOK.md", "deploy/backup/README.md", "README.md", "deploy/helm/firstlight/values.yaml"]
PLACES = [*TEXTS, *(str(p.relative_to(ROOT)) for folder in FOLDERS for p in (ROOT / folder).iterdir() if p.is_file())]
COMMAND = re.compile(r"(?<![\w/.-])(firstlight-server|firstlight|SERVER)((?: +(?:--config \S+|[a-z][a-z-]*))+)")
# Options whose value is a secret itself. A file that holds one, or an id, is none.
SECRET = re.compile(r"--(?:[a-z-]*-)?(?:password|passphrase|token|secret|key|pin)\b(?!-)(?: [<\[]|=)")

# Says whether a PIN is asked for.
HARMLESS = {"--voice-pin"}

bin_dir = Path(sys.argv[1])


def helped(program, words):
    """The help of a command, or nothing where there is no such command."""
    run = subprocess.run([bin_dir / program, *words, "--help"], capture_output=True, text=True)
    return run.stdout if run.returncode == 0 else None


def has_commands(text):
    return "\nCommands:\n" in text


checked, missing = {}, []
for place in PLACES:
    text = (ROOT / place).read_text()
    # Only what stands as code: blocks, spans, and lines of units.
    if place.endswith(".md"):
        code = re.findall(r"```sh\n(.*?)```", text, re.S) + re.findall(r"`([^`\n]+)`", text)
    else:
        # In the others: what a unit starts, and what is indented as something to type.
        code = re.findall(r"^Exec.*$|^ *#? {2,}(?:firstlight-server|kubectl exec|docker compose) .*$", text, re.M)
    for program, rest in (found for piece in code for found in COMMAND.findall(piece)):
        program = "firstlight-server" if program == "SERVER" else program
        words = re.sub(r"--config \S+", "", rest).split()
        told = helped(program, [])
        for n, word in enumerate(words):
            if not has_commands(told):
                break
            if not re.search(rf"^  {word} ", told, re.M):
                missing.append(f"{place}: {program} {' '.join(words[: n + 1])}")
                break
            told = helped(program, words[: n + 1]) or ""
        checked[(program, *words)] = True
if missing:
    sys.exit("there is no such command:\n" + "\n".join(missing))


def walk(program, words):
    text = helped(program, words) or ""
    for leak in SECRET.findall(text):
        if leak.split()[0].rstrip("=") not in HARMLESS:
            sys.exit(f"{program} {' '.join(words)} takes a secret as an argument: {leak}")
    commands = text.split("\nCommands:\n")[1].split("\n\n")[0] if has_commands(text) else ""
    for word in re.findall(r"^  ([a-z][a-z-]*) ", commands, re.M):
        if word != "help":
            walk(program, [*words, word])


for program in ["firstlight-server", "firstlight"]:
    walk(program, [])
print(f"commands: {len(checked)} of the documents exist, and none takes a secret", file=sys.stderr)
