"""headless.py in.ipynb out.ipynb kernel timeout allow_errors: executes a notebook without a front end, in its folder.

Prints the seconds of its cells as JSON; exits with 1 at the first cell that fails, unless errors are allowed.
"""
import json
import os
import sys
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

source, target, kernel, timeout, allow_errors = sys.argv[1:6]
notebook = nbformat.read(source, 4)
client = NotebookClient(
    notebook,
    kernel_name=kernel,
    # A busy machine takes minutes to start a kernel.
    startup_timeout=300,
    timeout=float(timeout),
    allow_errors=allow_errors == 'true',
    resources={'metadata': {'path': os.path.dirname(os.path.abspath(source))}},
)
seconds = []
failed = False
with client.setup_kernel():
    for index, cell in enumerate(notebook.cells):
        started = time.time()
        try:
            client.execute_cell(cell, index)
        except CellExecutionError:
            failed = True
        if cell.cell_type == 'code':
            seconds.append(time.time() - started)
        if failed:
            break
        # After an error, tslab drops the cells that reach it within 200 ms.
        if any(output.get('name') == 'stderr' for output in cell.get('outputs', [])):
            time.sleep(0.45)
nbformat.write(notebook, target)
print(json.dumps(seconds))
sys.exit(1 if failed else 0)
