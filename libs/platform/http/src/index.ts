export { httpLimits, HTTP_SETTINGS, type HttpLimits } from './http-limits.ts';
export { httpServerOptions } from './http-server.ts';
export { publicDocument, type PublicDocument } from './public-document.ts';
export { UploadPlaces } from './upload-places.ts';
