// Sends one message with nodemailer: smtp or sendmail, from the environment of
// python.py.
const nodemailer = require('nodemailer')
const e = process.env
const transport = process.argv[2] === 'sendmail'
  ? nodemailer.createTransport({ sendmail: true, path: '/usr/sbin/sendmail' })
  : nodemailer.createTransport({
    host: e.HOST,
    port: Number(e.PORT),
    auth: e.LOGIN ? { user: e.LOGIN, pass: e.SECRET } : undefined
  })
const text = require('fs').readFileSync(0, 'utf8')
const message = { from: e.FROM, to: e.TO, subject: e.SUBJECT, text }
const send = (again) => transport.sendMail(message).then(() => process.exit(0), (err) => {
  if (again) return send(false)
  console.error(String(err))
  process.exit(1)
})
send(Boolean(e.AGAIN))
