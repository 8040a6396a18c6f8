export {
  installKernel,
  KERNEL_NAME,
  kernelSpec,
  kernelStatus,
  uninstallKernel,
  type KernelPlace,
  type KernelSpec,
  type KernelStatus,
} from './install';
export {setUpNotebook} from './setUp';
