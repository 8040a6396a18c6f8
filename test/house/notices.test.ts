import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import path from 'node:path';
import {test} from 'node:test';

test('NOTICES.md names the licences of what the lock files install', () => {
  const script = path.join(__dirname, '../../scripts/notices.mjs');
  assert.doesNotThrow(
    () => execFileSync(process.execPath, [script, '--check'], {stdio: 'pipe'}),
    /run npm run notices/,
  );
});
