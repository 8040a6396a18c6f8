/** Operators that move values about: padding, joining, cutting. */
import {listOf, numberOf, refuse, stringOf, type Translate} from './translation';

export const pad: Translate = (translation) => {
  const {node, emit} = translation;
  const amounts = [...translation.known(1).data];
  const [before, after] = [0, 1].map((side) => amounts.filter((_, at) => at % 2 === side));
  const mode = node.op === 'MirrorPad' ? stringOf(node, 'mode', 'REFLECT') : 'CONSTANT';
  if (mode === 'SYMMETRIC') throw refuse(node, 'mode SYMMETRIC is not supported');
  const inputs = [
    node.input[0],
    translation.whole([...before, ...after]),
    ...(node.op === 'PadV2' ? [node.input[2]] : []),
  ];
  emit('Pad', inputs, {mode: mode.toLowerCase()}, node.name);
};

export const concat: Translate = (translation) => {
  const {node, emit} = translation;
  const axisFirst = node.op === 'Concat';
  const [axis] = translation.known(axisFirst ? 0 : node.input.length - 1).data;
  emit('Concat', axisFirst ? node.input.slice(1) : node.input.slice(0, -1), {axis}, node.name);
};

export const pack: Translate = (translation) => {
  const {node, emit} = translation;
  const axis = numberOf(node, 'axis', 0);
  const parts = node.input.map((name) => emit('Unsqueeze', [name, translation.whole([axis])]));
  emit('Concat', parts, {axis}, node.name);
};

/** Begins, ends and strides with masks: bit n is for the n-th. */
export const stridedSlice: Translate = (translation) => {
  const {node, emit} = translation;
  const [begin, end, strides] = [1, 2, 3].map((at) => [...translation.known(at).data]);
  const mask = (key: string) => numberOf(node, key, 0);
  if (mask('ellipsis_mask') !== 0 || mask('new_axis_mask') !== 0) throw refuse(node, 'its masks are not supported');
  const bit = (key: string, at: number) => (mask(key) & (1 << at)) !== 0;
  const shrunk = begin.flatMap((_, at) => (bit('shrink_axis_mask', at) ? [at] : []));
  const starts = begin.map((value, at) => (bit('begin_mask', at) ? 0 : value));
  const ends = end.map((value, at) => {
    if (bit('shrink_axis_mask', at)) return begin[at] === -1 ? 2 ** 31 : begin[at] + 1;
    return bit('end_mask', at) ? 2 ** 31 : value;
  });
  const axes = begin.map((_, at) => at);
  const lists = [starts, ends, axes, strides].map((values) => translation.whole(values));
  const part = emit('Slice', [node.input[0], ...lists], {}, shrunk.length === 0 ? node.name : undefined);
  if (shrunk.length > 0) emit('Squeeze', [part, translation.whole(shrunk)], {}, node.name);
};

export const slice: Translate = (translation) => {
  const {node, emit} = translation;
  const [begin, size] = [1, 2].map((at) => [...translation.known(at).data]);
  const ends = begin.map((value, at) => (size[at] < 0 ? 2 ** 31 : value + size[at]));
  emit('Slice', [node.input[0], translation.whole(begin), translation.whole(ends)], {}, node.name);
};

export const squeeze: Translate = (translation) => {
  const {node, emit} = translation;
  const axes = [...listOf(node, 'squeeze_dims'), ...listOf(node, 'axis')];
  emit('Squeeze', [node.input[0], ...(axes.length > 0 ? [translation.whole(axes)] : [])], {}, node.name);
};
