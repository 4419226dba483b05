export { addRouteConfig, globalGuardsOf, keepErrorsAsThrown, patternsOf } from './private-parts.ts';
