// allowed
export * from '@onepool/contracts';
export * from '@onepool/catalog-data-access';
export * from '@onepool/platform-clock';
export * from '@onepool/stock-data-access';
export * from '@onepool/stock-domain';
export * from '@onepool/client';
