'use strict'
// The plugin of Haraka that takes everything but what a test wants refused.
const fs = require('node:fs')
const path = require('node:path')

exports.hook_rcpt = function (next, connection, params) {
    const user = params[0].user
    if (user.startsWith('reject-')) return next(DENY, 'no such user here')
    if (user.startsWith('defer-')) return next(DENYSOFT, 'try again later')
    next(OK)
}

exports.hook_data_post = function (next, connection) {
    if (connection.transaction.header.get('X-Refuse')) return next(DENY, 'this message is refused')
    next()
}

// The message is whole on the disk before it is acknowledged.
exports.hook_queue = function (next, connection) {
    const txn = connection.transaction
    const file = path.join(process.env.BOX, txn.uuid)
    const out = fs.createWriteStream(file + '.tmp')
    out.on('error', () => next(DENYSOFT, 'can not keep it'))
    out.on('close', () => {
        fs.renameSync(file + '.tmp', file)
        next(OK)
    })
    txn.message_stream.pipe(out)
}
