export function installGradients(): void {}
