// allowed
export * from '@onepool/contracts';
export * from '@onepool/platform-postgres';
export * from '@onepool/stock-domain';
