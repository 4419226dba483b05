export { publicDocument, type PublicDocument } from './public-document.ts';
