// Preloaded into a process: it kills itself, as a power cut would, at the n-th change of the file system (SOAK_KILL_AT).
const fs = require('node:fs');

const at = Number(process.env.SOAK_KILL_AT);
let count = 0;
const change = () => {
  count += 1;
  if (count === at) process.kill(process.pid, 'SIGKILL');
};
const CHANGES = ['writeFile', 'appendFile', 'rename', 'rm', 'rmdir', 'mkdir', 'unlink', 'utimes'];
const wrapped = (real) =>
  function (...given) {
    // Only what the pass itself changes: the loader keeps a cache elsewhere.
    if (String(given[0]).startsWith(process.env.SOAK_FOLDER)) change();
    return real.apply(this, given);
  };
for (const name of CHANGES) {
  for (const [module, key] of [
    [fs, name],
    [fs, `${name}Sync`],
    [fs.promises, name],
  ]) {
    module[key] = wrapped(module[key]);
  }
}
const {open} = fs.promises;
fs.promises.open = async (...given) => {
  const writes = String(given[0]).startsWith(process.env.SOAK_FOLDER) && /[wa+]/.test(String(given[1] ?? 'r'));
  if (writes) change();
  const handle = await open(...given);
  if (!writes) return handle;
  for (const name of ['write', 'sync']) {
    const real = handle[name].bind(handle);
    handle[name] = (...parts) => {
      change();
      return real(...parts);
    };
  }
  return handle;
};
process.on('exit', () => {
  if (process.connected) process.send({changes: count});
});
