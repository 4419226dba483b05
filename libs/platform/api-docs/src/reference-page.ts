export interface ReferencePage {
  readonly title: string;
  readonly scriptPath: string;
}

/** What the reference shows, and everything that it would ask another server for, off. */
const CONFIGURATION = {
  url: '/openapi.json',
  theme: 'default',
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  showDeveloperTools: 'never',
  agent: { disabled: true, hideAddApi: true },
  mcp: { disabled: true },
  documentDownloadType: 'json',
  defaultHttpClient: { targetKey: 'shell', clientKey: 'curl' },
  authentication: { preferredSecurityScheme: 'apiKey' },
};

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** The page that shows the API reference. It has no script of its own, so that a strict policy can refuse any. */
export function referencePage({ title, scriptPath }: ReferencePage): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${escaped(title)}</title>
    <link rel="icon" href="data:,">
  </head>
  <body>
    <noscript>This page needs JavaScript. The same as JSON: <a href="/openapi.json">openapi.json</a>, <a href="/asyncapi.json">asyncapi.json</a>.</noscript>
    <script id="api-reference" type="application/json" data-configuration="${escaped(JSON.stringify(CONFIGURATION))}"></script>
    <script src="${scriptPath}"></script>
  </body>
</html>
`;
}
