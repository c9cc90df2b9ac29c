"""What systemd says of the machine as a whole."""
import subprocess


def is_going_down():
    """It starts no service any more then; the next start of the machine does. No when it cannot be asked."""
    try:
        shown = subprocess.run(
            ["systemctl", "is-system-running"], capture_output=True, text=True, timeout=2, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return shown.stdout.strip() == "stopping"
