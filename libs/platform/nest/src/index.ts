export { addRouteConfig, globalGuardsOf, keepErrorsAsThrown, keepHooksToApp, patternsOf } from './private-parts.ts';
