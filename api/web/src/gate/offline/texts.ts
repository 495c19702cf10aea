// The words of a gate's verdicts without a network: those of the server (checkpoint/texts.go), which the test vectors hold
// together.
import type { Colour } from '../../code/claims';
import type { Tell } from '../../code/keyring';
import type { Text } from '../../i18n';

interface Words { why: Text; guidance: Text }

const words = (why: [string, string], guidance: [string, string]): Words =>
  ({ why: { zh: why[0], en: why[1] }, guidance: { zh: guidance[0], en: guidance[1] } });

export const untold: Record<Tell, Words> = {
  expired: words(['二维码已过期', 'The code has expired'], ['请对方刷新健康码后再扫', 'Ask the person to refresh the code and scan again']),
  not_yet_valid: words(['二维码签发时间在未来', 'The code was issued in the future'], ['时钟可能有误，请核对时间', 'A clock is wrong; check the time']),
  unknown_key: words(['签发密钥不在信任列表中', 'The signing key is not on the trust list'], ['请更新信任列表或人工核验', 'Update the trust list, or check by hand']),
  forged: words(['签名不符，疑似伪造', 'The signature does not fit: probably forged'], ['请留住人员并报告', 'Keep the person here and report']),
  malformed: words(['二维码损坏，无法读取', 'The code is damaged and cannot be read'], ['请调亮屏幕、靠近后重扫', 'Brighten the screen, come closer, scan again']),
  not_ours: words(['不是健康码', 'This is not a health code'], ['请对方打开本地健康码', 'Ask the person to open the local health code']),
  specimen: words(['样码，不能通行', 'A specimen; it never passes'], ['请出示本人健康码', "Ask for the person's own code"]),
  stale_gate: words(['本卡口数据过旧', "This gate's data are too old"], ['请联网更新，期间人工核验', 'Connect and update; check by hand until then']),
  clock: words(['时钟偏差过大', 'A clock is off by too much'], ['请校准设备时间', "Set the device's clock"]),
  replayed: words(['该动态码已被使用', 'This one-time code was shown before'], ['请对方刷新后重扫，并核对姓名', 'Ask for a fresh code and compare the name']),
  challenge_missing: words(['本卡口要求验证数字，此码没有', 'This gate asks for its number; the code carries none'], ['请对方在健康码页面输入屏幕上的数字后再扫', 'Ask the person to enter the number on the screen, then scan again']),
  challenge_wrong: words(['验证数字不符', 'The code carries another number'], ['请按屏幕上的新数字重新输入后再扫', 'Ask for the number that is on the screen now, then scan again']),
  challenge_impossible: words(['纸质码和数字码不能带验证数字', "A paper code or digits cannot carry the gate's number"], ['请核对身份证件，人工核验', 'Look at the ID document and check by hand']),
  revoked: words(['该码已作废', 'This code has been voided'], ['请对方重新申领', 'Ask the person to apply for a new one']),
  check_online: words(['离线无法判定该码', 'This code cannot be told without a network'], ['请联网核验，或人工核验', 'Check it online, or by hand']),
};

export const coloured: Record<Colour, Words & { reason: string }> = {
  green: { reason: 'ok', ...words(['绿码：没有生效的风险赋码', 'Green: no risk assignment is in force'], ['可以通行', 'May pass']) },
  yellow: { reason: 'code_yellow', ...words(['签发时为黄码', 'The code was yellow when it was issued'], ['按黄码处置，联网后可查原因', 'Treat as yellow; the reason can be read online']) },
  red: { reason: 'code_red', ...words(['签发时为红码', 'The code was red when it was issued'], ['按红码处置，联网后可查原因', 'Treat as red; the reason can be read online']) },
};

export const fever = { reason: 'fever', ...words(['现场测温达到发热标准', 'The temperature taken here is a fever'], ['复测体温；仍发热请引导至发热门诊', 'Measure again; if it stays, guide to the fever clinic']) };

export const needsNetwork = words(['离线无法得知疫苗或行程', 'Vaccination and trips are not known without a network'], ['请联网核验，或查看纸质证明', 'Check online, or look at papers']);

export const noTest = (hours: number) => ({
  reason: 'test_missing',
  ...words([`没有 ${hours} 小时内核酸阴性结果`, `No negative test within ${hours} hours`], ['请查看纸质或外地检测结果，或引导就近检测', 'Look at a paper or foreign result, or guide to the nearest test point']),
});
