import {uniqueId, type Bundle} from '../../report/display/bundle';
import {kernelState, type PageLink} from '../../report/display/state';
import {commServer} from './server';
import {widgetHost, type Widget} from './widgets';

const VIEW = 'application/vnd.jupyter.widget-view+json';
const links = new Map<string, Widget>();

/**
 * Lets what a page computes reach the kernel: a text field of Jupyter's widgets that nobody sees, which the page finds by its class and writes
 * into. The link of the same cell that runs again takes the place of the one before.
 */
export function offerPageLinks(): void {
  kernelState().linkPage = (onText: (text: string) => void): PageLink | undefined => {
    const server = commServer();
    if (!server?.connected) return undefined;
    const host = widgetHost(server);
    const cell = kernelState().cell ?? uniqueId();
    const before = links.get(cell);
    if (before) host.close([before]);
    const className = `unweave-link-${uniqueId()}`;
    const field = host.hiddenText(className);
    links.set(cell, field);
    field.onChange = ({value}) => {
      if (typeof value === 'string') onText(value);
    };
    const bundle: Bundle = {
      data: {
        [VIEW]: {version_major: 2, version_minor: 0, model_id: field.comm.id},
        'text/html': '<span></span>',
        'text/plain': '',
      },
    };
    return {className, bundle};
  };
}
