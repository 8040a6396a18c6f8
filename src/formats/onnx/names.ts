/** Names of nodes that stay the same whichever exporter wrote the file: the path of the module that a node belongs to. */
import type {NodeMessage} from './proto';

/** Operators that are what a module is for. */
export const MAIN = [
  'Conv',
  'ConvTranspose',
  'Gemm',
  'MatMul',
  'BatchNormalization',
  'LayerNormalization',
  'GroupNormalization',
  'InstanceNormalization',
  'PRelu',
];

const metadata = ({metadataProps}: NodeMessage, key: string) =>
  metadataProps.find((entry) => entry.key === `pkg.${key}`)?.value;

/** Whether PyTorch's exporter has folded the batch norm behind a convolution into it. */
export function isFoldedByRewriter(node: NodeMessage): boolean {
  return /BatchNorm/.test(metadata(node, 'onnxscript.rewriter.rule_name') ?? '');
}

/** The name that we wrote into a file. */
const ownName = ({metadataProps}: NodeMessage) => metadataProps.find(({key}) => key === 'unweave.name')?.value;

/** The layer whose divided channels a node adds up, where we wrote the file. */
export const mergeOf = ({metadataProps}: NodeMessage) => metadataProps.find(({key}) => key === 'unweave.merge')?.value;

/** Name for each node; several may get the same, the builder numbers them. */
export function namesOf(nodes: readonly NodeMessage[]): Map<NodeMessage, string> {
  const paths = new Map(nodes.map((node) => [node, modulePath(node)]));
  const common = commonFolder([...paths.values()].filter((path) => path?.includes('/')) as string[]);
  for (const [node, path] of paths) if (path?.includes('/')) paths.set(node, path.slice(common));
  const known = new Set(paths.values());
  const atPath = new Map<string, NodeMessage[]>();
  for (const [node, path] of paths) if (path !== undefined) atPath.set(path, [...(atPath.get(path) ?? []), node]);
  const names = new Map<NodeMessage, string>();
  for (const node of nodes) {
    const path = paths.get(node);
    const operator = node.opType.toLowerCase();
    const own = ownName(node);
    if (own !== undefined) names.set(node, own);
    else if (path === undefined) names.set(node, node.name || `${operator}_${nodes.indexOf(node)}`);
    else if (path === '') names.set(node, operator);
    else {
      const others = atPath.get(path) as NodeMessage[];
      const isLeaf = ![...known].some((other) => other?.startsWith(`${path}.`));
      const main = others.some(({opType}) => MAIN.includes(opType));
      const owns = main ? MAIN.includes(node.opType) : isLeaf && others.every(({opType}) => opType === node.opType);
      names.set(node, owns ? path : `${path}.${operator}`);
    }
  }
  return names;
}

function modulePath(node: NodeMessage): string | undefined {
  const weightPath = /^((?!.*::).+)\.weight$/.exec(node.input[1] ?? '')?.[1];
  const scopes = metadata(node, 'torch.onnx.name_scopes');
  if (scopes !== undefined) {
    // A convolution with a batch norm folded in is listed under the batch norm.
    if (isFoldedByRewriter(node) && weightPath !== undefined) return weightPath;
    const path =
      [...scopes.matchAll(/'([^']*)'/g)]
        .map(([, scope]) => scope)
        .slice(0, -1)
        .at(-1) ?? '';
    return path.startsWith('_') ? '' : path;
  }
  if (node.name.startsWith('/')) {
    // /layer4/layer4.2/conv3/Conv: a segment that goes on from the one before replaces it.
    const segments = node.name.split('/').slice(1, -1);
    return segments.filter((segment, at) => !segments[at + 1]?.startsWith(`${segment}.`)).join('.');
  }
  if (MAIN.includes(node.opType) && weightPath !== undefined) return weightPath;
  return node.name.includes('/') ? node.name.slice(0, node.name.lastIndexOf('/')) : undefined;
}

/** Length of the folders that all paths begin with. */
function commonFolder(paths: readonly string[]): number {
  if (paths.length < 2) return 0;
  let length = 0;
  for (let end = paths[0].indexOf('/'); end >= 0; end = paths[0].indexOf('/', end + 1)) {
    if (!paths.every((path) => path.startsWith(paths[0].slice(0, end + 1)))) break;
    length = end + 1;
  }
  return length;
}
