export { type ApiDocuments, publishApiDocuments } from './publish-api-documents.ts';
