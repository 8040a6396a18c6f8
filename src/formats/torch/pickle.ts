/**
 * A machine for the part of Python's pickle format that `torch.save` writes (protocols 2 to 5), made to read files that
 * nobody vouches for: a pickle is a program, and this machine gives its calls no meaning but those that the caller lists.
 * Opcodes: CPython, Lib/pickletools.py. (Of the packages for this, pickleparser calls whatever function or prototype the
 * stream leads it to and cannot read the 10-byte integer that starts PyTorch's older stream; jpickle stops at protocol 2.)
 *
 * Python's values become: None → null, numbers → number or bigint, str and bytes → string and Uint8Array, tuple, list and set
 * → array, dict → Map.
 */
import {InputError} from '../../common/errors';

/** A class or function that a pickle names; `call` is what calling it means here. */
export interface PickleGlobal {
  kind: 'global';
  name: string;
  call(args: unknown[]): unknown;
}

/** An object whose class has no meaning here: nothing of it is kept but its class's name, and the items of a kind of dict. */
export interface Blank {
  kind: 'blank';
  name: string;
  items?: Map<unknown, unknown>;
}

export function isBlank(value: unknown): value is Blank {
  return typeof value === 'object' && value !== null && (value as {kind?: unknown}).kind === 'blank';
}

/** An object that takes the state which Python would give to `__setstate__`. */
interface Buildable {
  build(state: unknown): void;
}

export interface PickleMeanings {
  /** What the global `module.name` stands for. */
  global(name: string): PickleGlobal;
  /** What a persistent id (PyTorch: a storage) stands for. @throws InputError for one that makes no sense */
  persistent(id: unknown): unknown;
}

/** The bytes end before the pickle does. */
export class PickleEnds extends InputError {}

/** Opcodes run at most; a state dict takes about 60 a tensor. */
const MAX_STEPS = 2_000_000;
/** Dicts, lists and tuples made at most, each some 200 bytes of memory; a state dict takes about six a tensor. */
const MAX_CONTAINERS = 300_000;
const MAX_INTEGER_BYTES = 255;

export function isGlobal(value: unknown): value is PickleGlobal {
  return typeof value === 'object' && value !== null && (value as {kind?: unknown}).kind === 'global';
}

/**
 * Runs the pickle that starts at `start`; returns its value and the position after it.
 * @throws InputError where it is truncated, damaged or too long; `file` names it
 */
export function readPickle(
  bytes: Uint8Array,
  start: number,
  meanings: PickleMeanings,
  file: string,
): {value: unknown; end: number} {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stack: unknown[] = [];
  const marks: number[] = [];
  const memo = new Map<number, unknown>();
  let position = start;

  const words = (why: string) =>
    `${file} is damaged or no PyTorch checkpoint: ${why} at byte ${position} of its pickled part`;
  const refuse = (why: string) => new InputError(words(why));
  const take = (length: number): number => {
    const from = position;
    if (length > bytes.length - from) throw new PickleEnds(words('it ends in the middle of an instruction'));
    position += length;
    return from;
  };
  const u8 = () => view.getUint8(take(1));
  const u32 = () => view.getUint32(take(4), true);
  const u64 = () => Number(view.getBigUint64(take(8), true));
  const slice = (length: number) => bytes.subarray(take(length), position);
  const text = (length: number) => new TextDecoder().decode(slice(length));
  const latin1 = (length: number) => Buffer.from(slice(length)).toString('latin1');
  const line = (): string => {
    const newline = bytes.indexOf(0x0a, position);
    if (newline < 0) throw new PickleEnds(words('it ends in the middle of a name'));
    const read = text(newline - position);
    position += 1;
    return read;
  };
  const integer = (length: number): number | bigint => {
    if (length > MAX_INTEGER_BYTES) throw refuse(`it has an integer of ${length} bytes`);
    const digits = Buffer.from(slice(length)).reverse().toString('hex');
    const value = BigInt.asIntN(8 * length, BigInt(`0x${digits || '0'}`));
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  };
  const pop = (): unknown => {
    if (stack.length <= (marks[marks.length - 1] ?? 0)) throw refuse('it takes a value that is not there');
    return stack.pop();
  };
  const popMark = (): unknown[] => {
    const mark = marks.pop();
    if (mark === undefined) throw refuse('it closes a group that was not opened');
    return stack.splice(mark);
  };
  const top = (): unknown => {
    const value = pop();
    stack.push(value);
    return value;
  };
  let containers = 0;
  const made = <T>(container: T): T => {
    containers += 1;
    if (containers > MAX_CONTAINERS) throw refuse(`it has more than ${MAX_CONTAINERS} dicts, lists and tuples`);
    return container;
  };
  const setItems = (items: unknown[]): void => {
    const target = top();
    // A subclass of dict keeps its items like one, whatever it is called.
    const dict = isBlank(target) ? (target.items ??= made(new Map<unknown, unknown>())) : target;
    if (!(dict instanceof Map) || items.length % 2 !== 0) throw refuse('it sets items of what is no dict');
    for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
  };
  const append = (items: unknown[]): void => {
    const list = top();
    if (isBlank(list)) return;
    if (!Array.isArray(list)) throw refuse('it appends to what is no list');
    for (const item of items) list.push(item);
  };
  const get = (key: number): void => {
    if (!memo.has(key)) throw refuse(`it recalls value ${key}, which it did not keep`);
    stack.push(memo.get(key));
  };
  const globalOf = (module: unknown, name: unknown): PickleGlobal => {
    // A name that is put together of anything but texts could take for ever to write down.
    if (typeof module !== 'string' || typeof name !== 'string') throw refuse('it names a type by what is no text');
    return meanings.global(`${module}.${name}`);
  };
  const call = (callee: unknown, args: unknown): void => {
    // The object of a call may itself be called (functools.partial); nothing is run either way.
    if (isBlank(callee)) stack.push(made({kind: 'blank', name: callee.name}));
    else if (isGlobal(callee) && Array.isArray(args)) stack.push(made(callee.call(args)));
    else throw refuse('it calls what cannot be called');
  };
  const build = (state: unknown): void => {
    const target = top() as Partial<Buildable> | null;
    // Attributes beside the content, e.g. a state dict's _metadata, are not looked at.
    if (typeof target === 'object' && typeof target?.build === 'function') target.build(state);
  };

  for (let step = 0; ; step += 1) {
    if (step > MAX_STEPS) throw refuse(`it has more than ${MAX_STEPS} instructions`);
    const opcode = u8();
    // prettier-ignore
    switch (opcode) {
      case 0x80: { // PROTO
        const protocol = u8();
        if (protocol > 5) throw refuse(`it has the unknown pickle protocol ${protocol}`);
        break;
      }
      case 0x95: take(8); break; // FRAME
      case 0x2e: return {value: pop(), end: position}; // STOP
      case 0x28: marks.push(stack.length); break; // MARK
      case 0x30: pop(); break; // POP
      case 0x31: popMark(); break; // POP_MARK
      case 0x32: stack.push(top()); break; // DUP
      case 0x71: memo.set(u8(), top()); break; // BINPUT
      case 0x72: memo.set(u32(), top()); break; // LONG_BINPUT
      case 0x94: memo.set(memo.size, top()); break; // MEMOIZE
      case 0x68: get(u8()); break; // BINGET
      case 0x6a: get(u32()); break; // LONG_BINGET
      case 0x4e: stack.push(null); break; // NONE
      case 0x88: stack.push(true); break; // NEWTRUE
      case 0x89: stack.push(false); break; // NEWFALSE
      case 0x4a: stack.push(view.getInt32(take(4), true)); break; // BININT
      case 0x4b: stack.push(u8()); break; // BININT1
      case 0x4d: stack.push(view.getUint16(take(2), true)); break; // BININT2
      case 0x8a: stack.push(integer(u8())); break; // LONG1
      case 0x8b: stack.push(integer(u32())); break; // LONG4
      case 0x47: stack.push(view.getFloat64(take(8))); break; // BINFLOAT
      case 0x58: stack.push(text(u32())); break; // BINUNICODE
      case 0x8c: stack.push(text(u8())); break; // SHORT_BINUNICODE
      case 0x8d: stack.push(text(u64())); break; // BINUNICODE8
      case 0x54: stack.push(latin1(u32())); break; // BINSTRING, Python 2's str
      case 0x55: stack.push(latin1(u8())); break; // SHORT_BINSTRING
      case 0x42: stack.push(slice(u32())); break; // BINBYTES
      case 0x43: stack.push(slice(u8())); break; // SHORT_BINBYTES
      case 0x8e: case 0x96: stack.push(slice(u64())); break; // BINBYTES8, BYTEARRAY8
      case 0x29: case 0x5d: case 0x8f: stack.push(made([])); break; // EMPTY_TUPLE, EMPTY_LIST, EMPTY_SET
      case 0x85: stack.push(made([pop()])); break; // TUPLE1
      case 0x86: stack.push(made([pop(), pop()].reverse())); break; // TUPLE2
      case 0x87: stack.push(made([pop(), pop(), pop()].reverse())); break; // TUPLE3
      case 0x74: case 0x6c: case 0x91: stack.push(made(popMark())); break; // TUPLE, LIST, FROZENSET
      case 0x61: append([pop()]); break; // APPEND
      case 0x65: case 0x90: append(popMark()); break; // APPENDS, ADDITEMS
      case 0x7d: stack.push(made(new Map())); break; // EMPTY_DICT
      case 0x64: { // DICT
        const items = popMark();
        stack.push(made(new Map()));
        setItems(items);
        break;
      }
      case 0x73: setItems([pop(), pop()].reverse()); break; // SETITEM
      case 0x75: setItems(popMark()); break; // SETITEMS
      case 0x63: stack.push(globalOf(line(), line())); break; // GLOBAL
      case 0x93: { // STACK_GLOBAL
        const name = pop();
        stack.push(globalOf(pop(), name));
        break;
      }
      case 0x51: stack.push(meanings.persistent(pop())); break; // BINPERSID
      case 0x52: case 0x81: { // REDUCE, NEWOBJ
        const args = pop();
        call(pop(), args);
        break;
      }
      case 0x92: { // NEWOBJ_EX: positional and named arguments
        pop();
        const args = pop();
        call(pop(), args);
        break;
      }
      case 0x69: { // INST, Python 2's classes
        const callee = globalOf(line(), line());
        call(callee, popMark());
        break;
      }
      case 0x6f: { // OBJ
        const [callee, ...args] = popMark();
        call(callee, args);
        break;
      }
      case 0x62: build(pop()); break; // BUILD
      default:
        throw refuse(`it has the instruction 0x${opcode.toString(16)}, which torch.save does not write,`);
    }
  }
}
