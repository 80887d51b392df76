// Debian's Postfix on loopback, with configuration, queue and mailboxes in a temporary folder: nothing of the system's own is touched.
// Needs root (Postfix's master insists), and Debian's packages postfix, sasl2-bin and libsasl2-modules.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testCertificate } from '../fakes/scriptedSmtp';

/** Why it cannot run here; undefined if it can. */
export function postfixMissing(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root';
  const missing = ['/usr/sbin/postfix', '/usr/sbin/saslpasswd2'].filter((file) => !existsSync(file));
  return missing.length > 0 ? `no ${missing.join(', ')}` : undefined;
}

export const user = 'mailer@codalab.org';
export const password = 'a password that must not leak';

/** What each port demands. */
const services = {
  /** STARTTLS offered, log-in only over TLS; relays for the log-in alone, which owns info@codalab.org. */
  submission: '',
  /** STARTTLS first, or 530. */
  tlsRequired: '-o smtpd_tls_security_level=encrypt',
  /** No STARTTLS, and no log-in. */
  plain: '-o smtpd_tls_security_level=none -o smtpd_sender_restrictions=',
  implicitTls: '-o smtpd_tls_wrappermode=yes',
} as const;

/** Starts it. Mailboxes: every address at somewhere.com that begins with `some`. */
export async function startPostfix() {
  const root = await mkdtemp(join(tmpdir(), 'postfix-'));
  await chmod(root, 0o755);
  const folder = async (name: string): Promise<string> => {
    await mkdir(join(root, name));
    return join(root, name);
  };
  const [etc, spool, data, boxes] = [
    await folder('etc'),
    await folder('spool'),
    await folder('data'),
    await folder('boxes'),
  ];
  const sasl = await folder('etc/sasl'); // where Debian's Postfix looks, whatever cyrus_sasl_config_path says
  const [postfixUser, nobody] = [idOf('postfix'), idOf('nobody')];
  await chown(data, postfixUser, 0);
  await chown(boxes, nobody, nobody);

  const { key, cert } = await testCertificate();
  await writeFile(join(etc, 'tls.pem'), key + cert, { mode: 0o600 });
  await writeFile(join(etc, 'boxes'), '/^some.*@somewhere\\.com$/ all/\n');
  await writeFile(
    join(sasl, 'smtpd.conf'),
    `pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\nsasldb_path: ${sasl}/db\n`,
  );
  const [login = '', realm = ''] = user.split('@');
  execFileSync('/usr/sbin/saslpasswd2', ['-p', '-c', '-f', join(sasl, 'db'), '-u', realm, login], { input: password });
  await chown(join(sasl, 'db'), postfixUser, 0);

  const ports = new Map(
    await Promise.all(Object.keys(services).map(async (name) => [name, await freePort()] as const)),
  );
  await writeFile(join(etc, 'master.cf'), masterCf(ports));
  await writeFile(join(etc, 'main.cf'), mainCf({ root, etc, spool, data, boxes, nobody }));
  const postfix = (...args: string[]) => execFileSync('/usr/sbin/postfix', ['-c', etc, ...args], { stdio: 'pipe' });
  postfix('start');

  const waiting = async (): Promise<number> => {
    const queues = ['maildrop', 'incoming', 'active', 'deferred'].map((name) =>
      readdir(join(spool, name), { recursive: true }),
    );
    return (await Promise.all(queues)).flat().filter((name) => /[^/]{6,}$/.test(name)).length;
  };
  return {
    portOf: (service: keyof typeof services) => ports.get(service) ?? 0,
    /** The certificate to trust. */
    ca: cert,
    /** The messages delivered since the last `clear`, once the queue is empty. */
    async delivered() {
      for (let tries = 0; (await waiting()) > 0; tries += 1) {
        if (tries > 200) throw new Error(await readFile(join(root, 'log'), 'utf8'));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const box = join(boxes, 'all', 'new');
      const names = existsSync(box) ? await readdir(box) : [];
      return Promise.all(names.sort().map((name) => readFile(join(box, name), 'utf8')));
    },
    clear: () => rm(join(boxes, 'all'), { recursive: true, force: true }),
    async close() {
      postfix('stop');
      await rm(root, { recursive: true, force: true });
    },
  };
}

const masterCf = (ports: ReadonlyMap<string, number>): string => `
${Object.entries(services)
  .map(([name, options]) => `127.0.0.1:${ports.get(name)} inet n - n - - smtpd ${options}`)
  .join('\n')}
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
virtual unix - n n - - virtual
proxymap unix - - n - - proxymap
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`;

type Paths = Readonly<Record<'root' | 'etc' | 'spool' | 'data' | 'boxes', string>> & {
  readonly nobody: number;
};

const mainCf = ({ root, etc, spool, data, boxes, nobody }: Paths): string => `
compatibility_level = 3.6
queue_directory = ${spool}
data_directory = ${data}
maillog_file = ${root}/log
maillog_file_prefixes = ${root}
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = mail.codalab.test
mydestination =
mynetworks =
local_recipient_maps =
local_transport = error:no local mail
alias_maps =
virtual_mailbox_domains = somewhere.com
virtual_mailbox_base = ${boxes}
virtual_mailbox_maps = regexp:${etc}/boxes
virtual_uid_maps = static:${nobody}
virtual_gid_maps = static:${nobody}
virtual_minimum_uid = 1
smtpd_tls_chain_files = ${etc}/tls.pem
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = cyrus
smtpd_sasl_local_domain = codalab.org
smtpd_sender_login_maps = inline:{ {info@codalab.org = ${user}} {other@codalab.org = somebody-else} }
smtpd_sender_restrictions = reject_sender_login_mismatch
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_helo_required = yes
smtpd_helo_restrictions = reject_non_fqdn_helo_hostname
smtpd_client_connection_rate_limit = 0
smtpd_error_sleep_time = 0
`;

const idOf = (name: string): number => Number(execFileSync('id', ['-u', name], { encoding: 'utf8' }));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
