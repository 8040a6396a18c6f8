"""execute.py notebook.ipynb folder: executes the notebook in place and prints the seconds of its cells as JSON.

After an error tslab drops the cells that reach it within 200 ms, so the next one waits.
"""
import json
import sys
import time

import nbformat
from nbclient import NotebookClient

file, folder = sys.argv[1:3]
notebook = nbformat.read(file, 4)
metadata = {'metadata': {'path': folder}}
name = notebook.metadata.kernelspec.name
client = NotebookClient(notebook, kernel_name=name, timeout=120, allow_errors=True, resources=metadata)
seconds = []
with client.setup_kernel():
    for index, cell in enumerate(notebook.cells):
        start = time.time()
        client.execute_cell(cell, index)
        seconds.append(time.time() - start)
        if any(output.get('name') == 'stderr' for output in cell.get('outputs', [])):
            time.sleep(0.45)
nbformat.write(notebook, file)
print(json.dumps(seconds))
