'use strict'
// A mail server of nodemailer's smtp-server: node serve.js PORT FOLDER
const fs = require('node:fs')
const path = require('node:path')
const { SMTPServer } = require('smtp-server')

const [port, box] = process.argv.slice(2)
let count = 0

function refusal(code, text) {
    return Object.assign(new Error(text), { responseCode: code })
}

new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    hideENHANCEDSTATUSCODES: false,
    hideSMTPUTF8: false,
    name: 'peer.example.test',
    onRcptTo(address, session, done) {
        if (address.address.startsWith('reject-')) return done(refusal(550, 'no such user here'))
        if (address.address.startsWith('defer-')) return done(refusal(450, 'try again later'))
        done()
    },
    onData(stream, session, done) {
        const chunks = []
        stream.on('data', chunk => chunks.push(chunk))
        stream.on('end', () => {
            const message = Buffer.concat(chunks)
            const header = message.toString('latin1').split('\r\n\r\n', 1)[0]
            if (/^X-Refuse:/im.test(header)) return done(refusal(554, 'this message is refused'))
            const file = path.join(box, String(++count))
            fs.writeFileSync(file + '.tmp', message)
            fs.renameSync(file + '.tmp', file)
            done(null, 'OK: message queued')
        })
    }
}).listen(Number(port), '127.0.0.1')
