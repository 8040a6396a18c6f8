/** Who may use how many pixels at a time: in the order of asking, and one always, however large. */
export function pixelBudget(budget: number): {
  ask(id: number, pixels: number, granted: () => void): void;
  release(id: number): void;
} {
  const asking: {id: number; pixels: number; granted: () => void}[] = [];
  const inUse = new Map<number, number>();
  const grant = () => {
    while (asking.length > 0) {
      const used = [...inUse.values()].reduce((sum, pixels) => sum + pixels, 0);
      if (used > 0 && used + asking[0].pixels > budget) return;
      const {id, pixels, granted} = asking.shift()!;
      inUse.set(id, pixels);
      granted();
    }
  };
  return {
    ask(id, pixels, granted) {
      asking.push({id, pixels, granted});
      grant();
    },
    release(id) {
      const at = asking.findIndex((one) => one.id === id);
      if (at >= 0) asking.splice(at, 1);
      inUse.delete(id);
      grant();
    },
  };
}
