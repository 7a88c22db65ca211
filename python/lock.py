"""Renews the hashes of the requirement files from their pins: lock.py [--linux] FILE…, for whoever maintains them.

Asks pip, as it is set up on this machine, which wheel each platform would get, and writes the hashes down. Where a
platform has no wheel of a package, that is said on standard error. --linux asks for Linux alone.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

PYTHON = "3.12"

# What a machine of each kind accepts. A package may have wheels of its own for newer versions of macOS.
LINUX = [f"manylinux_2_{each}" for each in range(28, 4, -1)] + ["manylinux2014", "manylinux2010", "manylinux1"]
PLATFORMS = {
    "Linux on x86_64": [f"{each}_x86_64" for each in LINUX],
    "Linux on aarch64": [f"{each}_aarch64" for each in LINUX],
    "Windows": ["win_amd64"],
    **{f"macOS {each} on arm64": [f"macosx_{each}_0_arm64"] for each in (11, 12, 13, 14, 15)},
}

# The wheels of PyTorch's own index for machines without CUDA, https://download.pytorch.org/whl/cpu: the same version
# with "+cpu" behind it, which a pin without that accepts. README.md says where these hashes are from.
ALSO = {
    "torch==2.11.0": {
        "torch-2.11.0+cpu-cp312-cp312-manylinux_2_28_x86_64.whl": "f82e2ae20c1545bb03997d1cc3143d94e14b800038669ee1aca45808a9acc338",
        "torch-2.11.0+cpu-cp312-cp312-manylinux_2_28_aarch64.whl": "70ecb2659af6373b7c5336e692e665605b0201ea21ff51aaea47e1d75ea6b5aa",
        "torch-2.11.0+cpu-cp312-cp312-win_amd64.whl": "1abeaa46fa7532ed35ed79146f4de5d7a9d4b30462c98052ea4ddfe781ea3eca",
    },
    "torchaudio==2.11.0": {
        "torchaudio-2.11.0+cpu-cp312-cp312-manylinux_2_28_x86_64.whl": "2354248848d06a9ae1e7a12165f800f0dda7df60ecac9fca892322b722b922c0",
        "torchaudio-2.11.0+cpu-cp312-cp312-manylinux_2_28_aarch64.whl": "b9dd2c6ac144001dc6dac38b564c1de73ac26ef0c195d5037c4a94990b0e2b5a",
        "torchaudio-2.11.0+cpu-cp312-cp312-win_amd64.whl": "95d517bd1a0a28dacd1c37550ced95cab64f3a7a4ef9b8219b41049388a71163",
    },
}

PIN = re.compile(r"^[A-Za-z0-9._-]+==[^\s;\\]+( *;[^\\]*)?(?= *\\?$)")


def main(paths):
    platforms = PLATFORMS
    if paths[:1] == ["--linux"]:
        paths, platforms = paths[1:], {name: tags for name, tags in PLATFORMS.items() if "Linux" in name}
    if not paths:
        sys.exit(__doc__)
    for path in paths:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        head = lines[: next(place for place, line in enumerate(lines) if PIN.match(line))]
        pins = [match[0].strip() for line in lines if (match := PIN.match(line))]
        body = [line for pin, hashes in renewed(path, pins, platforms) for line in written(pin, hashes)]
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write("\n".join(head + body) + "\n")


def renewed(path, pins, platforms):
    """Each pin with its hashes."""
    found = {pin: set(ALSO.get(pin, {}).values()) for pin in pins}
    for platform, tags in platforms.items():
        for pin, digest in digests(pins, tags).items():
            if digest:
                found[pin].add(digest)
            else:
                print(f"{path}: no wheel of {pin} for {platform}", file=sys.stderr)
    return found.items()


def written(pin, hashes):
    if not hashes:
        sys.exit(f"No wheel at all of {pin}")
    lines = [pin] + [f"    --hash=sha256:{digest}" for digest in sorted(hashes)]
    return [line + " \\" for line in lines[:-1]] + lines[-1:]


def digests(pins, tags):
    """The SHA-256 of each pin's wheel for a machine of these tags; None where there is no wheel."""
    found = ask(pins, tags)
    if found is not None:
        return dict(zip(pins, found))
    # pip stops at the first that has no wheel.
    return {pin: (ask([pin], tags) or [None])[0] for pin in pins}


def ask(pins, tags):
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "report.json")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--no-deps"]
        command += ["--only-binary", ":all:", "--python-version", PYTHON, "--implementation", "cp", "--abi", "cp312"]
        command += ["--abi", "abi3", "--abi", "none", "--target", folder, "--report", report]
        command += [word for tag in tags for word in ("--platform", tag)]
        plain = [pin.split(";")[0].strip() for pin in pins]
        if subprocess.run(command + plain, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
            return None
        with open(report, encoding="utf-8") as file:
            wheels = [entry["download_info"] for entry in json.load(file)["install"]]
    by_pin = {named(wheel["url"]): wheel["archive_info"]["hashes"]["sha256"] for wheel in wheels}
    return [by_pin[same_name(pin)] for pin in plain]


def named(url):
    name, version = url.rsplit("/", 1)[-1].split("-")[:2]
    return same_name(f"{name}=={version}")


def same_name(pin):
    name, version = pin.split("==")
    return re.sub(r"[-_.]+", "-", name).lower() + "==" + version


if __name__ == "__main__":
    main(sys.argv[1:])
