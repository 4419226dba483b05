// allowed
export * from '@onepool/contracts';
export * from '@onepool/platform-clock';
