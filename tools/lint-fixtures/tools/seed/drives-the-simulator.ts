// allowed
export * from '@onepool/simulator-data-access';
