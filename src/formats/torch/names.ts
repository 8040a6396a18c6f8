/** Parts that wrappers put into the names of the modules that they wrap: DataParallel, torch.compile, checkpointing, FSDP. */
const WRAPPERS = new Set([
  'module',
  '_orig_mod',
  '_checkpoint_wrapped_module',
  '_fsdp_wrapped_module',
  '_forward_module',
]);

/** DenseNet's layers as torchvision named them before 0.3: `denselayer1.norm.1.weight`. */
const OLD_DENSE = /(denselayer\d+\.(?:norm|relu|conv))\.([12])\./;

/**
 * Names without what wrappers add, anywhere in them. Where two would become one, all stay as they are.
 * @returns plain names by the stored ones
 */
export function plainNames(names: readonly string[]): Map<string, string> {
  const plain = new Map(names.map((name) => [name, plainName(name)]));
  return new Set(plain.values()).size === names.length ? plain : new Map(names.map((name) => [name, name]));
}

function plainName(name: string): string {
  const parts = name.split('.');
  const kept = parts.filter((part, i) => i === parts.length - 1 || !WRAPPERS.has(part));
  return kept.join('.').replace(OLD_DENSE, '$1$2.');
}

/** Batches that a batch norm has seen: of no use at inference. */
export function isCounter(name: string): boolean {
  return /(^|\.)num_batches_tracked$/.test(name);
}
