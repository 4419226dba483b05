// breaks @nx/enforce-module-boundaries
// A project tagged with "type:domain" is not allowed to import "@nats-io/transport-node"
export * from '@nats-io/transport-node';
