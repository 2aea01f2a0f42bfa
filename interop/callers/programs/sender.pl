# Sends one message with a library of Perl, from the environment of python.py:
#
#	perl sender.pl email-sender-smtp|email-sender-sendmail|mime-lite-smtp|mime-lite-sendmail|mail-send
use strict;
use warnings;
use Encode;

my %e = %ENV;
my $text = do { local $/; <STDIN> };
my $subject = encode('MIME-Header', decode('UTF-8', $e{SUBJECT}));
sub again { my ($send) = @_; eval { $send->(); 1 } or $e{AGAIN} ? $send->() : die $@; return }
my ($library, $way) = $ARGV[0] =~ /^(.*)-(\w+)$/;
if ($library eq 'email-sender') {
	require Email::Sender::Simple;
	require Email::Sender::Transport::SMTP;
	require Email::Sender::Transport::Sendmail;
	my @login = $e{LOGIN} ? (sasl_username => $e{LOGIN}, sasl_password => $e{SECRET}) : ();
	my $transport = $way eq 'smtp'
		? Email::Sender::Transport::SMTP->new({ host => $e{HOST}, port => $e{PORT}, @login })
		: Email::Sender::Transport::Sendmail->new({ sendmail => '/usr/sbin/sendmail' });
	my $message = "From: $e{FROM}\nTo: $e{TO}\nSubject: $subject\n\n$text";
	again(sub { eval { Email::Sender::Simple->send($message, { transport => $transport }); 1 } or die $@->message . "\n" });
} elsif ($library eq 'mime-lite') {
	require MIME::Lite;
	my $m = MIME::Lite->new(From => $e{FROM}, To => $e{TO}, Subject => $subject, Data => $text);
	my @login = $e{LOGIN} ? (AuthUser => $e{LOGIN}, AuthPass => $e{SECRET}) : ();
	again(sub { $way eq 'smtp' ? $m->send('smtp', $e{HOST}, Port => $e{PORT}, @login) : $m->send('sendmail', '/usr/lib/sendmail -t -oi -oem') or die "it was not sent\n" });
} else {
	require Mail::Send;
	my $m = Mail::Send->new(Subject => $subject, To => $e{TO});
	my $out = $m->open('sendmail');
	print $out $text;
	$out->close or die "it was not sent\n";
}
