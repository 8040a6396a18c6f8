import {firstTime, kernelState} from '../report/display/state';
import type {ExecuteMessage, Server, Socket, Tslab} from '../report/display/tslab';

/**
 * Notes which cell is running, so that a library can be carried by one cell, and again when that very cell runs again; and keeps a cell
 * running until its outputs are there, since a front end that executes notebooks drops what comes later.
 */
export function watchCells({jupyter}: Tslab): void {
  const server = jupyter.ZmqServer.prototype;
  const handler = jupyter.JupyterHandlerImpl.prototype;
  if (!firstTime(server, 'watch cells')) return;
  const ids = new WeakMap<object, string>();

  // Cells arrive together and run one after another: remember the id on arrival, look it up on start.
  const {handleExecute} = server;
  server.handleExecute = function (this: Server, socket: Socket, message: ExecuteMessage) {
    const id = message.metadata?.cellId;
    if (id) ids.set(message.content, id);
    return handleExecute.call(this, socket, message);
  };
  const {handleExecuteImpl} = handler;
  handler.handleExecuteImpl = async function (request, ...writers) {
    kernelState().cell = ids.get(request) ?? request.code;
    kernelState().code = request.code;
    try {
      return await handleExecuteImpl.call(this, request, ...writers);
    } finally {
      await kernelState().showing;
    }
  };
}
