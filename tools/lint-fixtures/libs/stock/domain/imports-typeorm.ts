// breaks @nx/enforce-module-boundaries
// A project tagged with "type:domain" is not allowed to import "typeorm"
export * from 'typeorm';
