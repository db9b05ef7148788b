"""What the tests of deploy.sh share, with a cluster and without."""

import os


def path_without(path, folder, *names):
    """That PATH without some programs: its folders as one of links."""
    folder.mkdir()
    for place in filter(os.path.isdir, path.split(":")):
        for program in os.scandir(place):
            link = folder / program.name
            if program.name not in names and not link.is_symlink():
                link.symlink_to(program.path)
    return str(folder)


def path_with_program(path, folder, name, text):
    """That PATH with a shell script before all others of its name."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)
    return f"{folder}:{path}"


def mends(answer):
    """The commands that the script names, one for each thing that is amiss."""
    return [line.split("mend it: ", 1)[1]
            for line in answer.stderr.splitlines() if "mend it: " in line]
