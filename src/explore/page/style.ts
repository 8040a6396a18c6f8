/** The panel's styles: the page's own ink and ground, so that it is at home in dark and in light. */
export const STYLE = `
:host{display:block}
.panel{--line:rgba(128,138,148,.38);--soft:rgba(128,138,148,.14);--accent:#d55e00;--link:#2f81f7;
font:13px/1.45 var(--jp-ui-font-family,system-ui,"Segoe UI",Helvetica,Arial,sans-serif);color:inherit;
max-width:1180px;padding:4px 2px 12px;text-align:start;container-type:inline-size}
*{box-sizing:border-box}
h2,h3,h4{font-weight:600;margin:0;line-height:1.3}
h2{font-size:17px}h3{font-size:16px}h4{font-size:13px;margin:0 0 6px}
.facts,.hint,caption{opacity:.78}
.hint,caption{font-size:12px;line-height:1.35}
caption{caption-side:bottom;text-align:start}
.note{margin-top:6px;padding:4px 10px;border-inline-start:3px solid var(--line);background:var(--soft)}
.warning{border-color:var(--accent)}
.knobs{display:grid;grid-template-columns:repeat(4,1fr);gap:10px 22px;margin:14px 0 10px}
.knob{display:flex;flex-direction:column}
.knob-title{display:flex;gap:6px;align-items:baseline;white-space:pre}
.knob-title b{font-size:15px}
.value{margin-inline-start:auto;font-weight:600;font-variant-numeric:tabular-nums}
input[type=range]{width:100%;margin:5px 0 3px;accent-color:#0072b2;cursor:pointer}
.histogram{display:block;height:28px;width:calc(100% - 16px);margin:0 8px 3px;overflow:visible;border-bottom:1px solid var(--line)}
.histogram .above{fill:currentColor;opacity:.45}.histogram .below{fill:var(--accent)}
.histogram .mark{stroke:currentColor;stroke-width:1;stroke-dasharray:3 2;vector-effect:non-scaling-stroke}
.summary{margin:4px 0 8px}
.summary b{font-variant-numeric:tabular-nums}
.advice{opacity:.85}
.main{display:flex;flex-wrap:wrap;gap:18px 26px;margin-top:14px;align-items:flex-start}
.channels{flex:1 1 390px;min-width:min(390px,100%);max-width:480px}
.rows{max-height:520px;overflow:auto;border-block:1px solid var(--line)}
.row{display:grid;grid-template-columns:54px 52px 54px 70px 1fr;gap:0 10px;padding:3px 8px;align-items:baseline;
font-variant-numeric:tabular-nums;border-inline-start:3px solid transparent}
.row>*{text-align:end}
.row>:last-child{text-align:start;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.rows .row{cursor:pointer;opacity:.72}
.rows .row.poly{opacity:1}
.rows .row.poly>:nth-child(3){font-weight:600}
.rows .row:hover{background:var(--soft)}
.rows .row[aria-selected=true]{background:var(--soft);border-color:var(--accent);opacity:1}
.head{font-weight:600;align-items:end;line-height:1.2;padding-bottom:4px}
.detail{flex:3 1 480px;min-width:min(480px,100%)}
.side-by-side{display:flex;flex-wrap:wrap;gap:16px 26px;margin-top:10px;align-items:flex-start}
.matrix{display:grid;grid-template-columns:max-content max-content;width:max-content;max-width:100%;overflow-x:auto}
.matrix canvas{grid-column:2;display:block;cursor:crosshair;outline-offset:2px}
.matrix .names{grid-column:1;padding-inline-end:6px}
.columns{grid-column:2;display:flex;align-items:flex-end;padding-bottom:4px}
.column{writing-mode:vertical-rl;transform:rotate(180deg);display:flex;align-items:center;gap:4px;max-height:110px;overflow:hidden;font-size:11px;line-height:1;white-space:nowrap}
.column .chip{transform:rotate(180deg);writing-mode:horizontal-tb}
.name{display:flex;align-items:center;justify-content:flex-end;gap:5px;font-size:11px;line-height:1;max-width:150px;white-space:nowrap}
.name .chip{order:2}
.name bdi,.column bdi{overflow:hidden;text-overflow:ellipsis;padding:1px 0}
.chip{display:inline-block;min-width:14px;padding:0 3px;border-radius:3px;font-size:10px;line-height:14px;font-weight:700;text-align:center;flex:none}
.scale{display:flex;align-items:center;gap:6px;margin-top:14px;font-size:12px}
.ramp{position:relative;width:130px;height:9px;border-radius:2px}
.tick{position:absolute;top:-15px;transform:translateX(-50%);font-size:11px;line-height:1}
.tick::after{content:"";position:absolute;left:50%;top:12px;height:13px;border-left:1.5px solid currentColor}
.readout{min-height:20px;margin-top:4px;max-width:420px}
.concepts{flex:1 1 210px;min-width:200px}
.concepts ul{list-style:none;margin:0;padding:0}
.concepts li{margin:0 0 10px}
.tiles{display:flex;flex-wrap:wrap;gap:4px;margin-top:4px}
.tile{display:inline-block;border-radius:3px;background-repeat:no-repeat}
.sources{margin-top:16px}
.share{display:flex;height:12px;border-radius:3px;overflow:hidden;background:var(--line)}
.shared-words{margin-top:3px}
.owned{flex:1 1 320px}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:0 0 12px;font-size:12px}
th{text-align:start;font-weight:600;padding:2px 12px 2px 0;vertical-align:bottom}
td{padding:2px 12px 2px 0;border-top:1px solid var(--line);vertical-align:baseline}
.number{text-align:end}
.pairs tr[data-pair]{cursor:pointer}
.pairs tr[data-pair]:hover,.pairs .current{background:var(--soft)}
.pairs button{all:unset;cursor:pointer;padding:0 4px}
.scatter{flex:none;border:1px solid var(--line);border-radius:4px}
.scatter text{fill:currentColor;font-size:10.5px;opacity:.85}
.scatter .tick-label{font-size:9px}
.scatter .axis{stroke:currentColor;opacity:.35}
.scatter .bound{stroke:currentColor;stroke-dasharray:4 3;opacity:.6}
.source{fill:none;stroke:currentColor;stroke-opacity:.55}
.code{display:flex;gap:8px;align-items:flex-start;margin:4px 0;padding:6px 8px;border-radius:4px;background:var(--soft)}
code{flex:1;font:12px/1.5 var(--jp-code-font-family,ui-monospace,Menlo,Consolas,monospace);white-space:pre-wrap;overflow-wrap:anywhere;direction:ltr;text-align:left;unicode-bidi:isolate}
.detail>.code{margin-top:8px}
.copy,.back{font:inherit;font-size:12px;color:inherit;background:none;border:1px solid var(--line);border-radius:4px;padding:1px 9px;cursor:pointer;flex:none}
.copy:hover,.back:hover{background:var(--soft)}
.back{margin-bottom:8px}
.vectors{display:flex;flex-wrap:wrap;gap:2px 14px;margin:0 0 6px}
.auto{display:inline-flex;gap:5px;align-items:center;cursor:pointer}
:focus-visible{outline:2px solid var(--link);outline-offset:1px}
.offscreen{position:absolute;left:-9999px}
[hidden]{display:none!important}
@container (max-width:930px){.channels{flex-basis:100%;max-width:none}.rows{max-height:230px}}
@container (max-width:680px){.knobs{grid-template-columns:1fr 1fr}.detail{flex-basis:100%;min-width:0}}
@container (max-width:380px){.knobs{grid-template-columns:1fr}}
`;
