// A worker (worker.go) that sends with nodemailer, whose folder is the one
// argument: pooled connections, with as many messages handed to the pool as
// keep it busy.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const nodemailer = createRequire(import.meta.url)(process.argv[2]);
const login = { user: 'sender@example.test', pass: 'correct horse battery staple' };
let place, transport;

function connect() {
	const colon = place.Address.lastIndexOf(':');
	const settings = {
		pool: true,
		maxConnections: place.Connections,
		maxMessages: Infinity,
		host: place.Address.slice(0, colon),
		port: Number(place.Address.slice(colon + 1)),
		name: 'localhost',
		secure: place.Security === 'implicit TLS',
		requireTLS: place.Security === 'STARTTLS',
		ignoreTLS: place.Security === 'in the clear',
		socketTimeout: 3600e3,
	};
	if (place.Security !== 'in the clear') {
		settings.auth = login;
		settings.tls = { ca: readFileSync(place.CA) };
	}
	transport = nodemailer.createTransport(settings);
}

function compose(order, serial) {
	const message = {
		from: login.user,
		to: Array.from({ length: order.Recipients }, (_, i) => `recipient-${i + 1}@example.test`),
		subject: `第 ${serial} 封测试邮件`,
		text: order.Text,
	};
	if (order.Attachment) {
		message.attachments = [{ path: order.Attachment }];
	}
	return message;
}

async function send(order) {
	const start = performance.now();
	const seconds = () => (performance.now() - start) / 1000;
	let sent = 0;
	async function lane() {
		while (sent < order.Max && (sent < order.Min || seconds() < order.Seconds)) {
			const { rejected } = await transport.sendMail(compose(order, order.First + sent++));
			if (rejected.length > 0) {
				throw new Error(`rejected: ${rejected}`);
			}
		}
	}
	await Promise.all(Array.from({ length: 4 * place.Connections }, lane));
	return { Sent: sent, Seconds: seconds() };
}

async function once(order) {
	const start = performance.now();
	connect();
	const { Sent } = await send(order);
	const Seconds = (performance.now() - start) / 1000;
	transport.close();
	return { Sent, Seconds };
}

function used() {
	const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'latin1'));
	return { UserSeconds: process.cpuUsage().user / 1e6, Peak: Number(peak[1]) * 1024 };
}

async function carryOut(request) {
	switch (request.Do) {
		case 'open':
			place = request.Place;
			return {};
		case 'connect':
			connect();
			return {};
		case 'send':
			return await send(request.Order);
		case 'once':
			return await once(request.Order);
		case 'disconnect':
			transport.close();
			return {};
		case 'used':
			return used();
		default:
			throw new Error(`unknown request ${request.Do}`);
	}
}

for await (const line of createInterface({ input: process.stdin })) {
	let answer;
	try {
		answer = await carryOut(JSON.parse(line));
	} catch (error) {
		answer = { Error: String(error.message || error) };
	}
	process.stdout.write(JSON.stringify(answer) + '\n');
}
