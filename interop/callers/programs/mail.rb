# Sends one message with Ruby's mail, from the environment of python.py:
#
#	ruby mail.rb smtp|sendmail
require 'mail'

e = ENV
m = Mail.new(from: e['FROM'], to: e['TO'], subject: e['SUBJECT'], body: $stdin.read, charset: 'UTF-8')
if ARGV[0] == 'sendmail'
  m.delivery_method :sendmail
else
  options = { address: e['HOST'], port: e['PORT'].to_i }
  options.update(user_name: e['LOGIN'], password: e['SECRET']) if e['LOGIN'].to_s != ''
  m.delivery_method :smtp, options
end
again = e['AGAIN'].to_s != ''
begin
  m.deliver!
rescue StandardError => err
  if again
    again = false
    retry
  end
  warn err.message
  exit 1
end
