import assert from 'node:assert/strict';
import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import {test} from 'node:test';
import {describeChannels} from '../../src/concepts/describe';
import {findPolysemantic} from '../../src/concepts/find';
import {channelDescriptions} from '../../src/report/descriptions';
import {temporaryFolder} from '../reference/temporaryFolder';
import {syntheticStatistics} from '../reference/syntheticStatistics';

test('descriptions of channels are read by column, joined by unit, and found by layer or the block that it ends', async (t) => {
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'said.csv');
  await writeFile(
    file,
    'unit,layer,description,similarity\n3,layer4,"dogs, and cats",0.2\n3,layer4,faces,0.1\n0,conv1,edges,\n',
  );
  const said = channelDescriptions(file);
  assert.equal(said.of('layer4.2.conv3', 3), 'dogs, and cats; faces');
  assert.equal(said.of('conv1', 0), 'edges');
  assert.equal(said.of('conv1', 1), undefined);
  assert.equal(said.of('layer41', 3), undefined);
  assert.match(String(said), /2 channels of layer4, conv1/);
  const refused = async (text: string, pattern: RegExp) => {
    await writeFile(file, text);
    assert.throws(() => channelDescriptions(file), pattern);
  };
  await refused('layer,unit\nconv1,3\n', /no column description; it has layer, unit/);
  await refused('layer,unit,description\nconv1,three,edges\n', /row 2 has unit "three"/);
  await refused('', /no descriptions in/);
  assert.throws(() => channelDescriptions(path.join(folder, 'none.csv')), /cannot read the descriptions/);
});

test('what others say stands below what the classes say', () => {
  const found = findPolysemantic(syntheticStatistics(), {gamma: 1, tau: 0.03, p: 0.5});
  assert.ok(found.length > 0);
  const text = describeChannels(found, (channel) => `unit ${channel}`);
  assert.match(text, new RegExp(`described as: unit ${found[0].channel}`));
});
