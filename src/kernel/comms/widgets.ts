import type {Comm, CommServer} from './server';

/**
 * Jupyter's widgets, spoken to in their own protocol (ipywidgets' messaging protocol 2.1 and its model state
 * specification): a model here and its view on the page share a state over a comm.
 */
const PROTOCOL = {version: '2.1.0'};
const TARGET = 'jupyter.widget';
const BASE = {module: '@jupyter-widgets/base', version: '2.0.0'};
const CONTROLS = {module: '@jupyter-widgets/controls', version: '2.0.0'};

export interface Widget {
  readonly comm: Comm;
  /** The state as the page has it. */
  readonly state: Record<string, unknown>;
  /** Called with what the page changed. */
  onChange?: (changed: Record<string, unknown>) => void | Promise<void>;
}

/** Makes widgets and tells a page that is opened later about them. */
export interface WidgetHost {
  control(model: string, state: Record<string, unknown>): Widget;
  column(children: readonly Widget[]): Widget;
  /** A field for text that takes no room, found by its class. */
  hiddenText(className: string): Widget;
  /** Forgets widgets, here and on the page. */
  close(widgets: readonly Widget[]): void;
}

const hosts = new WeakMap<CommServer, WidgetHost>();

export function widgetHost(server: CommServer): WidgetHost {
  const host = hosts.get(server) ?? createHost(server);
  hosts.set(server, host);
  return host;
}

function createHost(server: CommServer): WidgetHost {
  const widgets = new Map<string, Widget>();

  // A page that connects later asks for all states at once.
  server.onOpen('jupyter.widget.control', (comm) => {
    comm.onMessage = ({method}) => {
      if (method !== 'request_states') return;
      const states = [...widgets.values()].map(({comm: {id}, state}) => [
        id,
        {
          model_name: state._model_name,
          model_module: state._model_module,
          model_module_version: state._model_module_version,
          state,
        },
      ]);
      comm.send({method: 'update_states', states: Object.fromEntries(states), buffer_paths: []});
    };
  });

  const add = (
    model: string,
    view: string | null,
    own: Record<string, unknown>,
    from = CONTROLS,
    viewFrom = from,
  ): Widget => {
    const state: Record<string, unknown> = {
      _model_module: from.module,
      _model_module_version: from.version,
      _model_name: model,
      _view_module: viewFrom.module,
      _view_module_version: viewFrom.version,
      _view_name: view,
      ...own,
    };
    const comm = server.open(TARGET, {state, buffer_paths: []}, PROTOCOL);
    const widget: Widget = {comm, state};
    comm.onMessage = async ({method, state: changed}) => {
      if (method === 'request_state') comm.send({method: 'update', state, buffer_paths: []});
      if (method !== 'update') return;
      Object.assign(state, changed);
      // Other views of the same widget follow.
      comm.send({method: 'echo_update', state: changed, buffer_paths: []});
      await widget.onChange?.(changed as Record<string, unknown>);
    };
    widgets.set(comm.id, widget);
    return widget;
  };
  const layout = (own: object = {}) => reference(add('LayoutModel', 'LayoutView', {...own}, BASE));

  return {
    control: (model, state) =>
      add(`${model}Model`, `${model}View`, {
        layout: layout({width: '420px'}),
        // Names are longer than the place that widgets leave for them.
        style: reference(add(STYLES[model], 'StyleView', {description_width: '120px'}, CONTROLS, BASE)),
        ...state,
      }),
    column: (children) =>
      add('VBoxModel', 'VBoxView', {layout: layout(), children: children.map(reference), box_style: ''}),
    hiddenText: (className) =>
      add('TextModel', 'TextView', {
        layout: layout({display: 'none'}),
        style: reference(add('TextStyleModel', 'StyleView', {}, CONTROLS, BASE)),
        _dom_classes: [className],
        continuous_update: true,
        value: '',
      }),
    close(closed) {
      for (const {comm} of closed) {
        widgets.delete(comm.id);
        comm.close();
      }
    },
  };
}

const STYLES: Record<string, string> = {
  FloatSlider: 'SliderStyleModel',
  Dropdown: 'DescriptionStyleModel',
  Checkbox: 'CheckboxStyleModel',
};

function reference({comm}: Widget): string {
  return `IPY_MODEL_${comm.id}`;
}
