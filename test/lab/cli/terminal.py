"""terminal.py ANSWERS COMMAND...: runs a command on a terminal of its own.

ANSWERS is JSON, a list of [seen, typed]: once the output since the answer before has `seen`, `typed` is typed.
Everything that the command wrote goes to stdout; our exit code is its own, or 128 + the signal that ended it.
"""

import json
import os
import pty
import sys

answers = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
since = b""
while True:
    try:
        data = os.read(terminal, 65536)
    except OSError:  # the terminal has no other end any more
        break
    if not data:
        break
    sys.stdout.buffer.write(data)
    since += data
    if answers and answers[0][0].encode() in since:
        os.write(terminal, answers.pop(0)[1].encode())
        since = b""
sys.stdout.buffer.flush()
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.exit(code if code >= 0 else 128 - code)
