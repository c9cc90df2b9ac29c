"""Does the packet filter work on this host, and for which addresses?"""
import shutil
import subprocess

TOOLS = ("iptables", "iptables-save", "iptables-restore")


def families():
    """The address families whose packet filter works on this host: in these the fault and the fence are installed,
    removed and looked for, and in no other."""
    commands = {"4": "iptables", "6": "ip6tables"}
    return [name for name, tool in commands.items() if shutil.which(f"{tool}-restore") and usable(f"{tool}-save")]


def usable(save):
    try:
        return subprocess.run([save, "-t", "filter"], capture_output=True, timeout=5, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
