import {InputError} from '../common/errors';
import {collectCommand, mergeCommand, type CollectJob} from './job';

export interface KubernetesOptions {
  /** Container image that has Node and unweave; its command is `unweave`, else give the job's `command`. */
  image: string;
  /** Name of the jobs. @default unweave-collect */
  name?: string;
  /** Tasks that run at a time. @default all */
  parallelism?: number;
  /** A persistent volume claim that holds model, images and output, and where it is mounted. */
  claim?: {name: string; mountPath: string};
  /** What a container asks for, e.g. `{cpu: '4', memory: '8Gi'}`. @default nothing */
  resources?: Readonly<Record<string, string>>;
}

/**
 * An Indexed Job, whose tasks are the shards, and a Job that waits for their files and merges them, as YAML for `kubectl apply -f`. A
 * container that is ended is started again and resumes from its checkpoint. Paths are those in the container, so that model, images and output
 * lie below the claim's mount path.
 * @throws InputError for a name that Kubernetes would refuse, or a mount path that does not begin with /
 */
export function kubernetesJobs(job: CollectJob, options: KubernetesOptions): string {
  const {name = 'unweave-collect', parallelism = job.shards} = options;
  const longest = 63 - Math.max('-merge'.length, `-${job.shards - 1}`.length);
  if (!/^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(name) || name.length > longest)
    throw new InputError(
      `invalid name of jobs: "${name}"; Kubernetes takes up to ${longest} lower-case letters, digits and hyphens, a letter first and no hyphen last`,
    );
  if (options.claim && !options.claim.mountPath.startsWith('/'))
    throw new InputError(`invalid mount path: "${options.claim.mountPath}"; give one from / on, such as /data`);
  const at = {...job, command: job.command ?? ['unweave']};
  const indexed = {completionMode: 'Indexed', completions: job.shards, parallelism};
  return [
    jobYaml(name, indexed, collectCommand(at, 'auto'), options),
    jobYaml(`${name}-merge`, {}, mergeCommand(at, {wait: true}), options),
  ].join('---\n');
}

function jobYaml(
  name: string,
  spec: Record<string, string | number>,
  command: readonly string[],
  {image, claim, resources}: KubernetesOptions,
): string {
  // JSON strings are YAML strings.
  const text = (value: string) => JSON.stringify(value);
  const lines = [
    'apiVersion: batch/v1',
    'kind: Job',
    'metadata:',
    `  name: ${text(name)}`,
    'spec:',
    ...Object.entries(spec).map(([key, value]) => `  ${key}: ${value}`),
    '  backoffLimit: 100',
    '  template:',
    '    spec:',
    '      restartPolicy: OnFailure',
    '      terminationGracePeriodSeconds: 60',
    '      containers:',
    `        - name: ${text(name)}`,
    `          image: ${text(image)}`,
    `          command: [${command.map(text).join(', ')}]`,
    ...(resources
      ? ['          resources:', '            requests:', ...Object.entries(resources).map(([key, value]) => `              ${text(key)}: ${text(value)}`)] // prettier-ignore
      : []),
    ...(claim
      ? [
          '          volumeMounts:',
          '            - name: "data"',
          `              mountPath: ${text(claim.mountPath)}`,
          '      volumes:',
          '        - name: "data"',
          '          persistentVolumeClaim:',
          `            claimName: ${text(claim.name)}`,
        ]
      : []),
  ];
  return `${lines.join('\n')}\n`;
}
