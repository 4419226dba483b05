// allowed
export * from '@onepool/client';
export * from '@onepool/contracts';
export * from '@onepool/platform-clock';
