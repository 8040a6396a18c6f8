/** What to do with a file that holds a program, not weights: the two lines of Python that export it, or its weights. */
export const ONNX_EXPORT =
  'export the network in Python, model.eval(); torch.onnx.export(model, (torch.zeros(1, 3, 224, 224),), "model.onnx"), or save the weights alone, torch.save(model.state_dict(), file), and give that file';
