/* What the host itself says in HTML. Nothing in it comes from outside but names of components, which are ours. */

/** Loads the page anew when something in the folder has changed. It finds its way from the page's own address, capability and all. */
export const RELOAD_SCRIPT = `<script>
(() => {
  const { protocol, host, pathname, search } = location;
  const at = pathname.indexOf('/__openclaw__/canvas');
  const url = (protocol === 'https:' ? 'wss://' : 'ws://') + host + pathname.slice(0, at) + '/__openclaw__/ws' + search;
  const listen = (again) => {
    const socket = new WebSocket(url);
    socket.onopen = () => { if (again) location.reload(); };
    socket.onmessage = ({ data }) => { if (data === 'reload') location.reload(); };
    socket.onclose = ({ code }) => { if (code !== 1008) setTimeout(listen, 1000, true); };
  };
  if (at >= 0) listen(false);
})();
</script>`;

/** With the script where its body ends, or at its end. */
export const reloading = (html: string): string => {
  const at = html.toLowerCase().lastIndexOf('</body>');
  return at < 0 ? `${html}\n${RELOAD_SCRIPT}\n` : `${html.slice(0, at)}${RELOAD_SCRIPT}\n${html.slice(at)}`;
};

export interface State {
  /** Components that are not well enough to let anybody in. */
  readonly failing: readonly string[];
  /** For those who may look at the canvas: where it lies, and what serves it. Others are told how to come in. */
  readonly host?: { readonly root: string; readonly version: string; readonly uptimeMs: number } | undefined;
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** While there is no page yet, or whoever asks may not see it: how the gateway is. */
export const startPage = ({ failing, host }: State): string => {
  const ready = failing.length === 0;
  const lines = [
    `<p class="${ready ? 'well' : 'ill'}">${ready ? 'ready' : `not ready: ${escaped(failing.join(', '))}`}</p>`,
    ...(host === undefined
      ? ['<p>The canvas is for those who have a link to it: <code>openclaw canvas link</code></p>']
      : [
          `<p>version ${escaped(host.version)}, up for ${Math.floor(host.uptimeMs / 1000)} s</p>`,
          `<p>There is no <code>index.html</code> in <code>${escaped(host.root)}</code> yet. Put one there, and this page shows it.</p>`,
        ]),
  ];
  const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Canvas</title>
<style>
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 40rem; margin: 15vh auto 0; padding: 0 1rem; }
.well::before, .ill::before { content: ''; display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .6em; background: #2a9d4a; }
.ill::before { background: #c8372d; }
code { font-family: ui-monospace, monospace; font-size: .95em; }
</style>
</head>
<body>
<h1>Gateway</h1>
${lines.join('\n')}
</body>
</html>
`;
  return host === undefined ? page : reloading(page);
};
